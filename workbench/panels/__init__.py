"""Screens made of ipywidgets, for JupyterLab and Voilà alike.

A panel holds a plain state and redraws from it; what it shows it asks the gateway for, through the
SDK. A run lives in the gateway: closing the page that shows it does not end it.
"""
