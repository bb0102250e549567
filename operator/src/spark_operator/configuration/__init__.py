"""The one configuration file of the control plane: /etc/spark/config.yaml, written by the chart."""
