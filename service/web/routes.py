"""Every blueprint in one list, and how they come onto the application."""

from flask import Flask

from service.settings import Settings
from service.web import (
    account,
    akismet,
    authors,
    bulk,
    check,
    comments,
    console,
    demo,
    documents,
    feeds,
    health,
    intake,
    learners,
    live,
    login,
    numbers,
    people,
    problems,
    reading,
    receipts,
    reports,
    review,
    rule_editor,
    rule_learners,
    rule_lists,
    rule_pages,
    rule_trials,
    rule_trying,
    rules,
    security,
    start,
    threads,
    webhooks,
    websites,
    wordpress,
)

#: Every blueprint, in the order in which a reader would look for them.
BLUEPRINTS = (
    intake.bp,
    check.bp,
    reading.bp,
    feeds.bp,
    reports.bp,
    receipts.bp,
    comments.bp,
    threads.bp,
    review.bp,
    rules.bp,
    learners.bp,
    rule_pages.bp,
    rule_lists.bp,
    rule_editor.bp,
    rule_trials.bp,
    rule_trying.bp,
    rule_learners.bp,
    login.bp,
    console.bp,
    webhooks.bp,
    wordpress.keys,
    wordpress.bp,
    websites.bp,
    akismet.bp,
    live.bp,
    numbers.bp,
    bulk.bp,
    authors.bp,
    account.bp,
    people.bp,
    demo.bp,
    start.bp,
    documents.bp,
    health.bp,
)


def init_app(app: Flask, settings: Settings) -> None:
    """Put every page and endpoint on `app`."""
    problems.init_app(app)
    security.init_app(app, settings)
    login.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint, web_threads=settings.web_threads)
