"""perfsuite examines itself: do its checks bite, and does its harness cost nothing?"""
