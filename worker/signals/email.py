"""What an e-mail address tells of its writer, apart from whether it is written correctly."""

from collections.abc import Container

from disposable_email_domains import blocklist


def domain_of(email: str) -> str:
    """Return the domain of an address, in lower case; "" when there is none."""
    return email.rpartition("@")[2].lower().rstrip(".") if "@" in email else ""


def is_disposable(domain: str) -> bool:
    """Whether addresses there are made to be thrown away, as the public list has it."""
    return is_listed(domain, blocklist)


def is_listed(domain: str, domains: Container[str]) -> bool:
    """Whether a domain, or one that it is a subdomain of, is among `domains`."""
    labels = domain.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels) - 1))
