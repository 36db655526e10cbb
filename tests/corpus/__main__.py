"""`python -m tests.corpus`: raise the floors of the frozen corpora to what is held today."""

from tests.corpus.measuring import raise_floors

if __name__ == "__main__":
    raise_floors()
