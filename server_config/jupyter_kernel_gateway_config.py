# Kernel Gateway, where `workbench serve` wants something else than its defaults.
# Your own jupyter_kernel_gateway_config.py outranks this one; the workbench's settings outrank both.

import os

c = get_config()

# A free kernel has the gateway's rights: few of them, for the administrator only, not for ever.
c.KernelGatewayApp.max_kernels = int(os.environ.get("KG_MAX_KERNELS", "16"))
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 60
