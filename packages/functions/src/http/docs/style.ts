/** The style of the documentation pages: the reader's own font, light and dark, any width. */
export const STYLE = `<style>
:root { color-scheme: light dark; --paper: #fbfbf9; --card: #fff; --faint: #f2f2ee; --line: #e3e3de;
  --ink: #1c1f20; --soft: #595f62; --accent: #0a6257; --mark: #fff3bf; }
@media (prefers-color-scheme: dark) { :root { --paper: #121516; --card: #181c1d; --faint: #1f2425;
  --line: #2c3234; --ink: #e6e9e8; --soft: #a3abad; --accent: #62cbb9; --mark: #3a2f00; } }
* { box-sizing: border-box; }
body { font: 16px/1.6 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--paper); }
.page { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1.25rem 2rem; }
h1 { font-size: 1.6rem; line-height: 1.3; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; }
p, ul, ol { margin: .4rem 0; } li { margin: .3rem 0; } a { color: var(--accent); }
code, pre { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .87em; }
pre { background: var(--faint); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; line-height: 1.5; }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; } .soft, .status { color: var(--soft); font-weight: normal; }
.guides { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem; padding: 0; list-style: none; }
.guides li { margin: 0; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.swagger-ui .information-container { display: none; }
section p, summary { overflow-wrap: anywhere; } :target { background: var(--mark); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
</style>`;
