/** What is shown in place of a response: a page for browsers, plain text for all else. */
import { escaped } from '../markup.ts'
import type { ResponseValue } from './exchange.ts'

export interface Notice {
  status: number
  /** What went wrong, in one line. */
  title: string
  /** The error's code. */
  code?: string
  /** More lines of the message, such as those of the source. */
  details?: string
  stack?: string
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2128; --dim: #6b7480; --line: #dfe3e8; --sheet: #fff; --ground: #f4f5f7; --mark: #c4302b }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --dim: #9aa4af; --line: #333b45; --sheet: #1b2027; --ground: #12161b; --mark: #ff7b72 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 8vh 1.5rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 56rem; margin: auto; padding: 2rem; background: var(--sheet); border: 1px solid var(--line); border-top: 4px solid var(--mark); border-radius: 6px }
p { margin: 0; color: var(--dim); font-size: .875rem }
h1 { margin: .25rem 0 0; font-size: 1.25rem; line-height: 1.4; overflow-wrap: anywhere }
pre { margin: 1.5rem 0 0; padding-top: 1.5rem; border-top: 1px solid var(--line); overflow-x: auto; font: .875rem/1.6 ui-monospace, monospace }
`

const html = ({ status, title, code, details, stack }: Notice): string => {
  const parts = [details, stack?.replace(/^ +/gm, '')]
    .filter((part) => part)
    .map((part) => `<pre>${escaped(part!)}</pre>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<main>
<p>${[String(status), code].filter(Boolean).join(' · ')}</p>
<h1>${escaped(title)}</h1>
${parts.join('\n')}
</main>
`
}

const plain = ({ title, code, details, stack }: Notice): string =>
  `${[code ? `${code}: ${title}` : title, details, stack].filter(Boolean).join('\n')}\n`

/** `accept`: the header of the request. */
export const pageOf = (accept: string | undefined, notice: Notice): ResponseValue => {
  const isPage = accept?.includes('text/html') ?? false
  return {
    status: notice.status,
    statusText: '',
    headers: [
      ['content-type', `text/${isPage ? 'html' : 'plain'}; charset=utf-8`],
      ['cache-control', 'no-store'],
      ['content-security-policy', "default-src 'none'; style-src 'unsafe-inline'"],
      ['x-content-type-options', 'nosniff'],
    ],
    body: new TextEncoder().encode(isPage ? html(notice) : plain(notice)),
  }
}
