// The frame of the page: light or dark, signing out, and saying farewell to its kernel.
(() => {
  const body = document.body;
  const base = body.dataset.baseUrl.replace(/voila\/$/, '');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const chosen = body.dataset.jpThemeName === 'JupyterLab Dark';
  const mark = () => { body.dataset.jpThemeLight = String(!(chosen || dark.matches)); };
  mark();
  dark.addEventListener('change', mark);

  // What a form or a farewell must show besides the cookie: a pair of its own, for its path alone.
  const pair = (path) => {
    const text = Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, '0')).join('');
    document.cookie = `_xsrf=${text}; path=${base}${path}; SameSite=Strict`;
    return text;
  };
  document.querySelector('.wb-top form').onsubmit = (event) => { event.target.elements._xsrf.value = pair('logout'); };
  document.getElementById('wb-again').onclick = () => location.reload();

  // Voilà asks for it once its own part has been loaded, and we once the cells are there.
  window.voila_finish = () => {
    if (!window.themeLoaded || !window.cellLoaded) return;
    document.getElementById('loading')?.remove();
    document.getElementById('rendered_cells').style.display = '';
  };
  window.voila_heartbeat = () => {};

  window.wbBegin = () => {
    const { kernelId } = JSON.parse(document.getElementById('jupyter-config-data').textContent);
    window.cellLoaded = true;
    window.voila_finish();
    // When the page's kernel is gone, say so: a button that does nothing says nothing.
    setInterval(() => fetch(`${base}api/kernels/${kernelId}`).then(
      (answer) => body.classList.toggle('wb-ended', !answer.ok),
      () => body.classList.add('wb-ended'),
    ), 5000);
    // Voilà says farewell without showing anything, and is refused: ours is said in its place.
    const send = navigator.sendBeacon.bind(navigator);
    let gone = false;
    const farewell = () => {
      if (!gone) send(`${base}voila/api/shutdown/${kernelId}`, new URLSearchParams({ _xsrf: pair('voila/api/shutdown') }));
      return (gone = true);
    };
    navigator.sendBeacon = farewell;
    addEventListener('pagehide', farewell);
    addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  };
})();
