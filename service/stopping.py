"""Whether this process was told to stop: answers that would last on end at once then."""

from threading import Event

#: Set by whoever receives the signal; waiting on it is a sleep that ends early.
stopping = Event()
