"""Made-up company data: a CRM and a billing system of the companies and people that the simulator makes up."""
