"""Entropy coding: a binary range coder, adaptive probabilities of bits, and their logistic mixing."""
