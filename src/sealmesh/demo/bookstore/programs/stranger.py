"""A program of another mesh: it keeps the credentials that its own Coordinator gave it."""

import os

if __name__ == "__main__":
    with open("credentials.pem", "w", encoding="ascii") as file:
        file.write(os.environ["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"])
        file.write(os.environ["MARBLE_PREDEFINED_PRIVATE_KEY"])
    print("stranger: has credentials of its mesh", flush=True)
