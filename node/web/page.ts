/** A page of an agent: its look, and the headers that let nothing but that look into it. */
import { createHash } from 'node:crypto'
import type { Answer } from './handler.ts'

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

/** `main` is markup. */
export const pageAnswer = (status: number, title: string, main: string): Answer => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  },
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<main>
${main}
</main>
</html>
`,
})
