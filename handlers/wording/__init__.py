"""Sentences, and the guard on what they may say."""
