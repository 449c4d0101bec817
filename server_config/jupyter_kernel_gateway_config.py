# Kernel Gateway, where the workbench wants something else than its defaults.
# `workbench serve` reads this file; the workbench's own settings are in the README.

c = get_config()

# A port that is taken is an error to be told, not a reason to listen elsewhere in silence.
c.KernelGatewayApp.port_retries = 0

# A free kernel has the gateway's rights: few of them, the administrator's only, and not for ever.
c.KernelGatewayApp.max_kernels = 8
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 60
