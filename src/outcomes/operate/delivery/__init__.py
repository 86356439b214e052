"""What leaves the study by itself: reports for their readers, and alerts for the analysts."""

from outcomes.operate.delivery.alerts import alert_failure, alert_refusals
from outcomes.operate.delivery.reports import DeliveryReport, deliver

__all__ = ["DeliveryReport", "alert_failure", "alert_refusals", "deliver"]
