"""What must outlive a call: plans asked about, their single use, and the journal."""
