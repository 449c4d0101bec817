// What JupyterLab loads: a module-federation container, written by hand so that nothing is built.
(function () {
  const here = document.currentScript.src;
  let scope;

  // The newest of the shared packages of that name: JupyterLab has one of each.
  async function shared(name) {
    const versions = scope[name];
    const newest = Object.keys(versions).sort((a, b) => b.localeCompare(a, undefined, { numeric: true }));
    return (await versions[newest[0]].get())();
  }

  async function extension() {
    // Whoever else loads extensions, as Voilà does, has no launcher and no use for this one.
    if (!scope['@jupyterlab/launcher']) return [];
    const { plugin } = await import(new URL('plugin.js', here));
    return plugin(shared);
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['workbench-lab'] = {
    init: given => { scope = given; },
    get: async () => {
      const found = await extension();
      return () => ({ __esModule: true, default: found });
    },
  };
})();
