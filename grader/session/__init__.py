"""A submission's live state: proxies for checks, over transports to the sandbox or to this process."""
