"""Campaigns against gates and templates that are wrong on purpose: is every seeded bug found?"""
