"""Addresses of our resources."""

import re

MONITOR = "ui://atoms/monitor"
GUIDE = "atoms://guide"
CAMPAIGN = "atoms://campaigns/{campaign_id}"
RESULTS = "atoms://campaigns/{campaign_id}/results.csv"
PATTERN = re.compile(r"^atoms://campaigns/(?P<id>[a-f0-9]{24})(?P<csv>/results\.csv)?$")


def campaign(campaign_id: str) -> str:
    """Return the address of a campaign's snapshot."""
    return CAMPAIGN.format(campaign_id=campaign_id)
