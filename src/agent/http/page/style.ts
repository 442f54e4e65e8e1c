import { layoutStyle } from './style-layout.ts';
import { sectionStyle } from './style-sections.ts';

/**
 * Colours for light and dark, each readable on what it lies on (WCAG AA), then layout, then the sections. `danger` and the
 * like set the colour of a level for everything within.
 */
const colours = `
:root{color-scheme:light dark;
--back:#f6f6f3;--card:#fff;--line:#dfdfd9;--ink:#1b1f24;--soft:#5a626c;--track:#e6e6e1;--link:#1f5f99;
--full:#3b73ad;--part:#a8c4e0;
--safe:#1a7443;--safe-back:#e9f4ec;--warning:#835300;--warning-back:#fcf3df;
--danger:#b1241c;--danger-back:#fbebe9;--unknown:#5a626c;--unknown-back:#ecece8}
@media screen and (prefers-color-scheme:dark){:root{
--back:#101316;--card:#181c20;--line:#2b3137;--ink:#e6e9ec;--soft:#9ca6b0;--track:#2d343b;--link:#8fc0f0;
--full:#6ea6de;--part:#385876;
--safe:#5ecb8b;--safe-back:#13251b;--warning:#e2b04c;--warning-back:#282111;
--danger:#ff8f85;--danger-back:#2f1917;--unknown:#9ca6b0;--unknown-back:#1f2429}}
.safe{--level:var(--safe);--level-back:var(--safe-back)}
.warning{--level:var(--warning);--level-back:var(--warning-back)}
.danger{--level:var(--danger);--level-back:var(--danger-back)}
.unknown{--level:var(--unknown);--level-back:var(--unknown-back)}
`;

/** On paper: no links that lead nowhere, and nothing torn in two. */
const printStyle = `
@media print{
:root{color-scheme:light;--back:#fff}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{max-width:none;padding:0;font-size:11pt}
.verdict,.card li,.trouble,.row,tr,article{break-inside:avoid}
.row svg{background:#f6f6f3}
h2{break-after:avoid}
footer nav,.reload,summary{display:none}
}
`;

/** All of it, as it stands between the tags: its hash is in the Content-Security-Policy. */
export const pageStyle = colours + layoutStyle + sectionStyle + printStyle;
