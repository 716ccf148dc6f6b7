"""What templates see: the data root, secrets, certificates, and the functions that encode them."""
