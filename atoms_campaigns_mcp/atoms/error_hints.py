"""What an agent can do about a refusal, by the API's words and the path that was asked for."""

import re

_PLAN = re.compile(r"upgrade.*plan|plan.*upgrade", re.IGNORECASE | re.DOTALL)
_ORGANIZATION = re.compile(r"not available for your organi[sz]ation", re.IGNORECASE)
_AUDIENCE_IN_USE = re.compile(r"audience\b.*\bwhile\b.*\bcampaign", re.IGNORECASE | re.DOTALL)
_NAMES_A_FIELD = re.compile(r"(?:^|; )[\w.]+: ")
_KIND = re.compile(r"\b(campaign|audience|agent|conversation)s?\b", re.IGNORECASE)
_LISTS = {
    "campaign": "list_campaigns",
    "audience": "list_audiences",
    "agent": "list_agents",
    "conversation": "list_calls",
}


def of_absence(words: str, path: str) -> str:
    """Name the tool that lists what is absent: what the words speak of, else what the path does."""
    found = _KIND.search(words) or _KIND.search(path)
    if found is None:
        return "Check the ids with list_campaigns, list_audiences and list_agents."
    return f"Check the id with {_LISTS[found[1].lower()]}."


def of_refusal(words: str) -> str:
    """Report what helps, or that the same again does not."""
    if _PLAN.search(words):
        return "The account's plan does not allow it; its owner must upgrade it."
    if _ORGANIZATION.search(words):
        return "The vendor has not enabled it for this organization; its owner must ask them."
    if _AUDIENCE_IN_USE.search(words):
        return (
            "Call again once that campaign is paused (pause_campaign) or finished "
            "(watch_campaign), or make another audience with create_audience."
        )
    if _NAMES_A_FIELD.search(words):
        return "Change what it names, then call again."
    return (
        "The same call again cannot help. Look at what it is about with get_campaign_status, "
        "list_campaigns or list_audiences, and tell the user what the API says."
    )
