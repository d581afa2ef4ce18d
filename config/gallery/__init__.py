"""The gallery of components: invented samples to look at, for the eye and for the tests."""
