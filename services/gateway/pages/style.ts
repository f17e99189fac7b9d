export const styleText = `
:root { --ink: #1d2329; --soft: #5b6670; --line: #d9dee3; --ground: #f6f7f8; --card: #fff; --accent: #1f5fbf;
  --yes: #17734a; --no: #b3261e; --warn-ground: #fdf0ee; --done-ground: #eaf6ef; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaed; --soft: #a3adb7; --line: #3a434c; --ground: #15191d; --card: #1d2329; --accent: #8ab4f8;
    --yes: #5cc491; --no: #ff8a80; --warn-ground: #3a2320; --done-ground: #1c3327; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
.top { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding: .75rem 1.25rem;
  border-bottom: 1px solid var(--line); background: var(--card); }
.top nav { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 0 1rem; align-items: center; min-width: 0; }
.top nav a { overflow-wrap: anywhere; }
.brand { font-weight: 700; color: inherit; text-decoration: none; }
a { color: var(--accent); }
main { max-width: 46rem; margin: 1.5rem auto 4rem; padding: 0 1.25rem; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
section, article, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem;
  margin: 0 0 1rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; white-space: pre-line; }
blockquote { margin: .25rem 0; padding-left: .6rem; border-left: 3px solid var(--line); overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .9rem; }
h1 + p { margin-bottom: .75rem; }
details { margin-top: .75rem; }
dl { display: grid; grid-template-columns: fit-content(16rem) minmax(0, 1fr); gap: .3rem 1rem; margin: 0; }
dt { color: var(--soft); min-width: 0; overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
dl.arguments dt, dl.arguments dd, pre, textarea.code, input.code, .row code { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { overflow: auto; max-height: 30rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0 0; }
ul { list-style: none; margin: 0; padding: 0; }
li { padding: .35rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
li:first-child { border-top: 0; }
li.row a { font-weight: 600; text-decoration: none; }
.state { display: inline-block; font-size: .85rem; font-weight: 600; padding: .1rem .6rem; border-radius: 99px;
  border: 1px solid currentColor; }
.state.allowed { color: var(--yes); } .state.denied { color: var(--no); } .state.pending { color: var(--accent); }
label { display: block; margin: .75rem 0 .25rem; font-weight: 600; }
label.inline { display: inline-flex; gap: .4rem; align-items: center; font-weight: 400; margin-right: 1rem; }
input[type=text], input[type=email], input[type=password], input[type=number], input[type=date], select, textarea {
  width: 100%; padding: .5rem .6rem; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line);
  border-radius: 6px; }
textarea { min-height: 4.5rem; resize: vertical; }
textarea.short { min-height: 2.6rem; height: 2.6rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1rem; }
button { font: inherit; font-weight: 600; padding: .55rem 1.2rem; border-radius: 8px; border: 1px solid var(--line);
  background: var(--card); color: inherit; cursor: pointer; overflow-wrap: anywhere; }
button.yes { background: var(--yes); border-color: var(--yes); color: var(--card); }
button.no { border-color: var(--no); color: var(--no); }
button.quiet { white-space: nowrap; border: 0; padding: 0; background: none; color: var(--accent); font-weight: 400; }
form.plain { margin: 0; }
.notice { border-radius: 8px; padding: .7rem 1rem; margin: 0 0 1rem; border: 1px solid var(--line); }
.notice.problem { background: var(--warn-ground); border-color: var(--no); }
.notice.done { background: var(--done-ground); border-color: var(--yes); }
section > details { margin: 0; }
dl + details { margin-top: .75rem; }
details summary { cursor: pointer; color: var(--accent); }
.tabs > * { margin-right: .9rem; }
@media (max-width: 32rem) {
  main { padding: 0 .75rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: .4rem; }
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
