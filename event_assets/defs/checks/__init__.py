"""What must hold of the assets, as Dagster asset checks. Blocking ones stop what comes after; the others warn."""
