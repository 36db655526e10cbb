"""What an e-mail address tells of its writer, apart from whether it is written correctly."""

from disposable_email_domains import blocklist


def domain_of(email: str) -> str:
    """Return the domain of an address, in lower case; "" when there is none."""
    return email.rpartition("@")[2].lower().rstrip(".") if "@" in email else ""


def is_disposable(domain: str) -> bool:
    """Whether addresses there are made to be thrown away, as the public list has it.

    Subdomains of a listed domain count as well.
    """
    labels = domain.split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
