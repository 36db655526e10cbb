"""Site learners: what the people of one site decide moves the models' scores there a little.

A learner adds a bounded correction to what a model says. It keeps hashed features with
weights and no text, is worked out anew from the decisions that stand, and says nothing
where no model speaks or where it learned nothing about a comment.
"""
