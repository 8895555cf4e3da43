"""The evidence: measures of synthetic data against real data, each beside its ceiling and its floor."""

from anew.audit.evidence import Evidence
from anew.audit.finding import Finding
from anew.audit.measure import Measure
from anew.audit.report import Report
from anew.audit.run import MEASURES, audit

__all__ = ["MEASURES", "Evidence", "Finding", "Measure", "Report", "audit"]
