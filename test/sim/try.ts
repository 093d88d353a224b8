import { stopValidatingModels } from "./quick-models.ts";
import { simulate } from "./simulate.ts";
const [from=0,n=20]=process.argv.slice(2).map(Number);
await simulate("warm"); stopValidatingModels();
const t=performance.now(); const c=process.cpuUsage(); let ops=0, faults=0, bad=0; const tot:Record<string,number>={};
for(let i=from;i<from+n;i++){ const r=await simulate(String(i));
 for(const [k,v] of Object.entries(r.counts)){tot[k]=(tot[k]??0)+v; if(k.startsWith('sent.'))ops+=v; if(k.startsWith('fault.'))faults+=v;}
 if(r.violations.length){bad++; console.log(i, JSON.stringify(r.violations.slice(0,3),null,1).slice(0,1500)); if(process.env.T){console.log(r.trace.slice(-60).join("\n")); console.log(r.history.slice(-40).map(l=>JSON.stringify(l)).join("\n"));console.log(r.plan)}}
}
const s=(performance.now()-t)/1000; const cpu=process.cpuUsage(c).user/1e6;
if(process.env.V)console.log(tot);
console.log({n,s,cpu,ops,opsPerCpu:ops/cpu,perSeed:ops/n,faults,bad});
