"""How the report looks."""

from __future__ import annotations

__all__ = ["STYLE"]

# JupyterLab's own colours, but for a page that only says which of its themes it is shown in.
_LAB = "--wb-ink:var(--jp-ui-font-color1,{ink});--wb-quiet:var(--jp-ui-font-color2,{quiet});\
--wb-line:var(--jp-border-color2,{line});--wb-paper:var(--jp-layout-color1,{paper})"
_LIGHT_LAB = _LAB.format(ink="#1f2430", quiet="#667085", line="#e2e5ea", paper="#fff")
_DARK_LAB = _LAB.format(ink="#e4e6eb", quiet="#9aa1ad", line="#2e333c", paper="#16181d")

_DARK = "--wb-paper:#16181d;--wb-ink:#e4e6eb;--wb-quiet:#9aa1ad;--wb-line:#2e333c;\
--wb-bar:#6ea8e0;--wb-warn:#e0a15a;--wb-good:#67b98a"

STYLE = f"""
.wb-report{{--wb-paper:#fff;--wb-ink:#1f2430;--wb-quiet:#667085;--wb-line:#e2e5ea;
--wb-bar:#3b78b8;--wb-warn:#c27a25;--wb-good:#2f855a;
color:var(--wb-ink);font:13px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}}
@media(prefers-color-scheme:dark){{.wb-report{{{_DARK}}}}}
[data-jp-theme-light=true] .wb-report{{{_LIGHT_LAB};
--wb-bar:#3b78b8;--wb-warn:#c27a25;--wb-good:#2f855a}}
[data-jp-theme-light=false] .wb-report{{{_DARK};{_DARK_LAB}}}
.wb-page{{margin:0;background:#fff}}
.wb-page .wb-report{{padding:24px;min-height:100vh;box-sizing:border-box;
background:var(--wb-paper)}}
.wb-report header{{display:flex;gap:32px;flex-wrap:wrap;margin:0 0 16px}}
.wb-report header b{{display:block;font-size:20px;font-weight:600}}
.wb-report small,.wb-report header span,.wb-report .quiet,.wb-report footer,
.wb-report .pairs i{{color:var(--wb-quiet);font-style:normal;font-size:12px;font-weight:400}}
.wb-report small{{display:block}}
.wb-report table{{border-collapse:collapse;margin:0;font-size:13px}}
.wb-report :is(th,td){{text-align:left;vertical-align:top;padding:8px 16px 8px 0;
border-bottom:1px solid var(--wb-line);font-weight:400;background:none;max-width:340px}}
.wb-report tbody th{{font-weight:600;overflow-wrap:anywhere}}
.wb-report thead th{{color:var(--wb-quiet);font-size:12px}}
.wb-report svg{{display:block}}
.wb-report rect{{fill:var(--wb-bar)}}
.wb-report rect.end{{opacity:.45}}
.wb-report .bar{{display:block;width:72px;height:4px;margin-top:4px;border-radius:2px;
background:var(--wb-line);overflow:hidden}}
.wb-report .bar i{{display:block;height:100%;background:var(--wb-warn)}}
.wb-report .bar.good i{{background:var(--wb-good)}}
.wb-report .pairs{{display:flex;flex-wrap:wrap;gap:0 14px}}
.wb-report .words{{display:grid;gap:2px;width:180px}}
.wb-report .words span{{position:relative;display:block;height:16px;font-size:11px;
line-height:16px}}
.wb-report .words i{{position:absolute;inset:0 auto 0 0;background:var(--wb-bar);opacity:.28;
border-radius:2px}}
.wb-report .words b{{position:relative;font-weight:400;display:block;padding-left:5px;
white-space:nowrap;overflow:hidden;text-overflow:ellipsis}}
.wb-report h4{{margin:24px 0 8px;font-size:15px}}
.wb-report h4 small{{display:inline;margin-left:6px}}
.wb-report .scroll{{overflow-x:auto}}
.wb-report .matrix :is(th,td){{padding:3px 6px;border:0;font-size:11px;text-align:right;
max-width:160px}}
.wb-report .matrix thead th span{{writing-mode:vertical-rl;transform:rotate(180deg);
display:inline-block}}
.wb-report .matrix td.up{{background:color-mix(in srgb,var(--wb-bar) var(--s),transparent)}}
.wb-report .matrix td.down{{background:color-mix(in srgb,var(--wb-warn) var(--s),transparent)}}
.wb-report footer{{margin-top:16px;max-width:90ch}}
"""
