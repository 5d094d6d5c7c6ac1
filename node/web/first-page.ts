/** `/` of an agent: what this is, whose it is, and the tag for a page. It shows no ticket, which would admit any reader. */
import { createHash } from 'node:crypto'
import { escaped } from '../markup.ts'
import type { Answer, WebSite } from './handler.ts'
import { embedTag } from './tag.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2129; --dim: #5b6572; --line: #dde2e8; --sheet: #fff; --ground: #f3f5f7; --mark: #0f766e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ebf0; --dim: #9ba6b3; --line: #2d353f; --sheet: #171c23; --ground: #0f1318; --mark: #5eead4 }
}
* { box-sizing: border-box }
body { margin: 0; padding: clamp(1rem, 8vh, 6rem) 1rem; background: var(--ground); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif }
main { max-width: 44rem; margin: auto }
h1 { margin: 0; font-size: 1.75rem; letter-spacing: -.02em }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.125rem }
p { margin: .75rem 0 0 }
dt { margin-top: .75rem; color: var(--dim); font-size: .875rem }
dd { margin: 0; overflow-wrap: anywhere }
code, pre { font: .875rem/1.6 ui-monospace, monospace }
pre { margin: 1rem 0 0; padding: 1rem; background: var(--sheet); border: 1px solid var(--line); border-left: 3px solid var(--mark); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all }
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

const markup = (peer: string, tag: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Wayside agent</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<main>
<h1>A Wayside agent</h1>
<p>Wayside runs functions on the idle computers along the way. This computer is one of them: it works for those whom its
owner let in. It also serves the piece of a web page by which visitors can help, if they want to.</p>
<dl>
<dt>Agent</dt><dd><code>${escaped(peer)}</code></dd>
</dl>
<h2>For the page of a site</h2>
<p>This draws a small control that asks your visitors. Until one of them agrees, it loads and runs nothing else.</p>
<pre>${escaped(tag)}</pre>
<p><code>TICKET</code> is what <code>wayside invite</code> prints on this computer. It lets its readers into the mesh, so it
is not shown here, and in a page it does the same: use a mesh that is for your visitors. <code>accept</code> says whose
work they run: here, that of this agent.</p>
</main>
</html>
`

export const firstPage = ({ files, peer }: WebSite, origin: string): Answer => ({
  status: 200,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  },
  body: markup(peer, embedTag(files, { origin, ticket: 'TICKET', accept: peer })),
})
