import { inMarkup } from '@placet/text';
import type { Letter } from './letter.ts';

/** Nothing is loaded from anywhere: no images, no fonts, no styles but these. */
const grey = 'color:#5f6368';
const box = 'background:#f6f7f9;border:1px solid #e3e5e8;border-radius:6px;padding:12px 14px';
const wrapped = 'white-space:pre-wrap;word-break:break-word;overflow-wrap:anywhere';
const mono = 'font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace';

/** A letter as HTML that mail programs show, with one button that is a link. */
export function htmlOf(letter: Letter): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">
<title>${inMarkup(letter.title)}</title>
</head>
<body style="margin:0;padding:24px 12px;background:#fff;color:#1f2328;font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;margin:0 auto;border-collapse:collapse"><tr><td>
${[
  titleOf(letter),
  ...letter.lead.map((text, n) => paragraph(text, n === 0 ? '' : grey)),
  ...(letter.link === null ? [] : [button(letter.link, letter.linkWords)]),
  factsOf(letter),
  ...argumentsOf(letter),
  ...(letter.link === null ? [] : [plainLink(letter.link)]),
  ...letter.foot.map((text) => `<p style="margin:0 0 4px;font-size:13px;${grey}">${inMarkup(text)}</p>`),
].join('\n')}
</td></tr></table>
</body>
</html>
`;
}

function titleOf({ title }: Letter): string {
  return `<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3;${wrapped}">${inMarkup(title)}</h1>`;
}

function paragraph(text: string, style: string): string {
  return `<p style="margin:0 0 8px;${wrapped};${style}">${inMarkup(text)}</p>`;
}

function button(link: string, words: string): string {
  const style =
    'display:inline-block;padding:11px 22px;border-radius:6px;background:#1a5fb4;color:#fff;font-weight:600;text-decoration:none';
  return `<p style="margin:18px 0 22px"><a href="${inMarkup(link)}" style="${style}">${words}</a></p>`;
}

function factsOf({ facts }: Letter): string {
  const rows = facts.map(
    ({ name, text }) =>
      `<tr><th scope="row" align="left" valign="top" style="padding:3px 14px 3px 0;font-weight:400;white-space:nowrap;${grey}">${inMarkup(name)}</th>` +
      `<td valign="top" style="padding:3px 0;${wrapped}">${inMarkup(text)}</td></tr>`,
  );
  return `<table cellpadding="0" cellspacing="0" style="border-collapse:collapse;margin:14px 0 18px">${rows.join('\n')}</table>`;
}

function argumentsOf({ arguments: lines, notes }: Letter): string[] {
  if (lines === null) return [];
  const shown = lines.length === 0 ? ['No arguments.'] : lines;
  return [
    `<p style="margin:0 0 6px;${grey}">With these arguments</p>`,
    `<div style="${box};${mono}">${shown.map(argument).join('\n')}</div>`,
    ...notes.map((text) => `<p style="margin:8px 0 0;${wrapped};font-weight:600">${inMarkup(text)}</p>`),
    '<div style="height:20px"></div>',
  ];
}

/** Where one begins is seen although it may take several lines. */
function argument(line: string): string {
  return `<div style="${wrapped};padding-left:18px;text-indent:-18px">${inMarkup(line)}</div>`;
}

function plainLink(link: string): string {
  return `<p style="margin:0 0 12px;font-size:13px;${grey}">Or open <a href="${inMarkup(link)}" style="color:#1a5fb4;word-break:break-all">${inMarkup(link)}</a></p>`;
}
