"""What record systems tell: believed, kept once, understood later, and never dropped."""
