"""Signatures of messages, as Standard Webhooks has them, and the secrets behind them.

Secrets are made from the installation's own secret and the seed of an
endpoint, so that no copy of the database gives one away.
"""

from datetime import datetime

from standardwebhooks import Webhook

from service.domain.webhook import Endpoint
from service.keyring import Keyring


def secret_of(keyring: Keyring, endpoint: Endpoint) -> str:
    """Return the secret with which the endpoint's site checks signatures: `whsec_...`."""
    return keyring.webhook_secret(endpoint.seed)


def signed_headers(
    keyring: Keyring, endpoint: Endpoint, key: str, body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers that prove the message ours at this moment.

    While a secret is being replaced the signature is made with both.
    """
    seeds = [endpoint.seed]
    if endpoint.old_seed and endpoint.old_until and endpoint.old_until > now:
        seeds.append(endpoint.old_seed)
    signatures = [
        Webhook(keyring.webhook_secret(seed)).sign(key, now, body.decode()) for seed in seeds
    ]
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
