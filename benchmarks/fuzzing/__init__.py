"""Damaged inputs for every parser of the package: small valid files, mutations of them, and who reads them."""
