"""How panels look: on the colours of JupyterLab, light or dark, with fallbacks outside it."""

from __future__ import annotations

STYLE = """\
<style>
.wb{color-scheme:light dark;font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif);
  color:var(--jp-ui-font-color1,#212121)}
.wb .widget-html,.wb .widget-html-content{line-height:1.5!important;height:auto;overflow:visible}
.wb .wb-cols{gap:16px;align-items:flex-start;overflow:visible}
.wb .wb-left{flex:0 0 300px;gap:8px}
.wb .wb-right{flex:1 1 0;min-width:0;gap:16px;overflow:visible}
.wb .wb-left,.wb .wb-card{padding:16px;border:1px solid var(--jp-border-color2,#e0e0e0);
  border-radius:8px;background:var(--jp-layout-color1,#fff);overflow:visible}
.wb .wb-left>*,.wb .wb-field>*,.wb .wb-card>*{width:auto!important;margin:0!important}
.wb .wb-card>*{margin-bottom:10px!important}
.wb .wb-card>*:last-child{margin-bottom:0!important}
.wb h3{margin:0 0 4px;font-size:17px;font-weight:600}
.wb p{margin:0}
.wb .wb-field{margin:0 0 10px!important;max-width:34em;overflow:visible}
.wb .wb-label{font-size:12px;font-weight:600}
.wb .wb-label span{font-weight:400;color:var(--jp-ui-font-color2,#616161);margin-left:6px}
.wb .wb-label b{color:var(--jp-error-color1,#c62828)}
.wb input[type=text],.wb input[type=number],.wb textarea,.wb select{
  border-radius:6px!important;border:1px solid var(--jp-border-color1,#bdbdbd)!important;
  background-color:var(--jp-layout-color0,#fff)!important;
  color:var(--jp-ui-font-color0,#000)!important;padding:4px 8px!important;
  font:13px var(--jp-ui-font-family,system-ui,sans-serif)}
.wb input[type=text],.wb input[type=number]{height:32px!important}
.wb .wb-left select{height:360px!important;padding:4px!important}
.wb .wb-left option{padding:5px 6px;border-radius:4px}
.wb .widget-dropdown>select{height:32px!important;appearance:none;
  background-image:linear-gradient(45deg,transparent 50%,currentColor 50%),
  linear-gradient(135deg,currentColor 50%,transparent 50%)!important;
  background-position:calc(100% - 16px) 13px,calc(100% - 11px) 13px!important;
  background-size:5px 5px!important;background-repeat:no-repeat!important}
.wb .jupyter-button{height:32px;line-height:32px;padding:0 16px;border-radius:6px;
  font-weight:500;width:auto}
.wb .jupyter-button.mod-primary{background:var(--jp-brand-color1,#1565c0);color:#fff!important}
.wb :focus-visible{outline:2px solid var(--jp-brand-color1,#1565c0);outline-offset:1px}
.wb .wb-problem{color:var(--jp-error-color1,#c62828)}
.wb .wb-bar{height:6px}
.wb .wb-view{max-width:none}
@media(max-width:760px){.wb .wb-cols{flex-direction:column}
  .wb .wb-left,.wb .wb-right{flex:none;width:100%!important}
  .wb .wb-left select{height:150px!important}}
</style>"""
