/** What only one section needs, in their order on the page. */
export const sectionStyle = `
.top{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:.25rem 2rem}
h1{font-size:1.25rem;font-weight:600;line-height:1.3}
h1 span{color:var(--soft);font-weight:400}
.top p{font-size:.875rem;color:var(--soft)}
.verdict{display:flex;align-items:center;gap:1.5rem;margin-top:1.25rem;padding:1.75rem 2rem;border-radius:14px;background:var(--level-back)}
.verdict>.mark{width:3.75rem;height:3.75rem}
.verdict h2{font-size:2rem;line-height:1.15;color:var(--level);margin-bottom:.25rem;letter-spacing:-.01em}
.verdict p{font-size:1.125rem;line-height:1.45}
.verdict+section{margin-top:1.75rem}
article{display:flex;flex-direction:column;gap:1.125rem}
article header{display:flex;align-items:flex-start;gap:1rem}
article header>div{flex:1;min-width:0}
.age strong{font-size:1.75rem;font-weight:600;line-height:1.2;letter-spacing:-.01em}
.age .bar{margin:.375rem 0 .5rem}
.under{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:0 1rem}
.row{display:grid;grid-template-columns:11rem minmax(0,1fr);gap:0 1.25rem;align-items:center}
.row+.row:not(.axis){margin-top:.75rem}
.row p{line-height:1.3;font-weight:600}
.row small{display:block;font-weight:400;font-size:.8125rem}
.row svg{display:block;width:100%;height:56px;background:var(--back);border-radius:6px}
.axis svg{height:18px;background:none}
.axis text{fill:var(--soft);font-size:12px;text-anchor:middle}
.timeline line{stroke:var(--line)}
use.backup{fill:var(--full)}
use.verified{fill:none;stroke:var(--safe);stroke-width:1.6}
use.drilled{fill:var(--safe)}
use.failed{fill:none;stroke:var(--danger);stroke-width:2.2;stroke-linecap:round}
use.damaged{fill:var(--danger)}
use.defragmented{fill:none;stroke:var(--soft);stroke-width:1.6}
use.pruned{fill:none;stroke:var(--soft);stroke-width:1.6}
.timeline details{margin-top:.75rem}
.timeline table{margin-top:.5rem;font-size:.875rem}
.timeline tbody th{white-space:nowrap}
.events{margin-top:.75rem;font-size:.875rem}
.events li{display:grid;grid-template-columns:10.5rem 7.5rem minmax(0,1fr);gap:0 1rem;padding:.25rem 0}
.events li+li{border-top:1px solid var(--line)}
.events time{color:var(--soft)}
.events b{font-weight:600}
.events .failed b,.events .damaged b{color:var(--danger)}
.members li{display:grid;grid-template-columns:11rem minmax(0,1fr);gap:.5rem 1.25rem}
.members .trouble{grid-column:2}
.members .trouble{background:none;padding:0;--level-back:var(--card)}
.size{display:grid;gap:.5rem;padding-top:.375rem}
.size .facts{grid-template-columns:5fr 3fr 4fr;align-items:baseline}
.size .facts div{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 .5rem}
.size dd small{display:inline;margin-left:.25rem}
.who p{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem}
.role{flex:none;display:inline-block;border:1px solid var(--line);border-radius:99px;padding:0 .6em;font-size:.8125rem;color:var(--soft)}
.role.leader{border-color:var(--ink);color:var(--ink);font-weight:600}
.running+.running{margin-top:1rem}
.running .bar{margin:.375rem 0 .25rem}
.schedule li{display:grid;grid-template-columns:4.5rem 6rem auto minmax(0,1fr);align-items:baseline;gap:0 1rem}
.schedule small{white-space:nowrap}
.schedule small:last-child{white-space:normal;text-align:right}
footer{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.25rem 2rem;margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.875rem;color:var(--soft)}
footer nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
@media (max-width:40rem){
.verdict{align-items:flex-start;gap:1rem;padding:1.25rem}
.verdict>.mark{width:2.25rem;height:2.25rem}
.verdict h2{font-size:1.625rem}
.row,.members li{grid-template-columns:minmax(0,1fr)}
.row{gap:.25rem}
.axis span{display:none}
.weekday{display:none}
.members .trouble{grid-column:1}
.events li{grid-template-columns:1fr}
.size .facts{grid-template-columns:1fr;gap:.125rem}
.size .facts div{justify-content:space-between}
.schedule li{grid-template-columns:1fr auto}
}
`;
