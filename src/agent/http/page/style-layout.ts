/** Type, page and the pieces that every section uses. */
export const layoutStyle = `
*{box-sizing:border-box;margin:0;padding:0}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{background:var(--back);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere;max-width:72rem;margin:0 auto;padding:1.75rem 2rem 3rem}
h2{font-size:1.125rem;font-weight:600;line-height:1.3;margin-bottom:.875rem}
h3{font-size:1rem;font-weight:600;line-height:1.35}
b{font-weight:600}
p,small{text-wrap:pretty}
small,.note{font-size:.875rem;color:var(--soft)}
code,.id,.where{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.8125rem}
.id,.where{color:var(--soft)}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:3px;border-radius:2px}
section{margin-top:2.75rem}
.name{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden}
.plain{list-style:none}
.empty{color:var(--soft)}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.25rem 1.5rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}
.pair{display:grid;grid-template-columns:2fr 3fr;gap:0 1rem}
.pair section{display:flex;flex-direction:column}
.pair .card{flex:1}
.bar{display:block;width:100%;height:10px;border-radius:5px;background:var(--track);overflow:hidden}
.fill,.in-use{fill:var(--full);background:var(--full)}
.reclaimable{fill:var(--part);background:var(--part)}
.free{background:var(--track)}
.late{fill:var(--danger)}
.mark{width:1.125em;height:1.125em;flex:none;fill:var(--level)}
.mark .cut{fill:none;stroke:var(--level-back);stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.mark .open,.mark .stroke{fill:none;stroke:var(--level);stroke-width:2.2;stroke-linecap:round}
.level{display:inline-flex;align-items:center;gap:.4em;color:var(--level);font-weight:600;white-space:nowrap}
span.danger{color:var(--danger);font-weight:600}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(12rem,calc(50% - .625rem)),1fr));gap:.875rem 1.25rem}
dt{font-size:.8125rem;color:var(--soft)}
dd small{display:block}
.trouble{display:flex;gap:.75rem;background:var(--level-back);border-radius:8px;padding:.75rem 1rem}
.trouble .mark{margin-top:.2em}
.trouble>div{min-width:0}
.trouble p+p{margin-top:.125rem}
.trouble .hint::before{content:"\\2192\\a0";color:var(--level);font-weight:600}
.trouble+.trouble{margin-top:.5rem}
.trouble+.card{margin-top:.75rem}
.rows>li{padding:.875rem 0}
.rows>li:first-child{padding-top:0}
.rows>li:last-child{padding-bottom:0}
.rows>li+li{border-top:1px solid var(--line)}
.rows .trouble{background:none;padding:0;--level-back:var(--card)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.8125rem;color:var(--soft);margin-top:.75rem}
.legend li{display:flex;align-items:center;gap:.45em}
.legend svg{width:14px;height:16px}
.legend i{width:12px;height:12px;border-radius:3px}
details+details{margin-top:.375rem}
table{border-collapse:collapse;width:100%;text-align:left}
th,td{padding:.375rem 1rem .375rem 0;vertical-align:baseline;font-weight:400}
th:last-child,td:last-child{padding-right:0}
thead th{font-size:.8125rem;color:var(--soft)}
tbody tr{border-top:1px solid var(--line)}
summary{cursor:pointer;color:var(--link);width:fit-content}
@media (max-width:56rem){.pair{grid-template-columns:1fr}}
@media (max-width:40rem){
body{padding:1.25rem 1rem 2rem}
section{margin-top:2rem}
.card{padding:1rem}
}
`;
