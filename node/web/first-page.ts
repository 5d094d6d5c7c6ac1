/** `/` of an agent: what this is, whose it is, and the tag for a page. It shows no ticket, which would admit any reader. */
import { escaped } from '../markup.ts'
import type { Answer, WebSite } from './handler.ts'
import { pageAnswer } from './page.ts'
import { embedTag } from './tag.ts'

const markup = (peer: string, tag: string) => `<h1>A Wayside agent</h1>
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
work they run: here, that of this agent.</p>`

export const firstPage = ({ files, peer }: WebSite, origin: string): Answer =>
  pageAnswer(200, 'Wayside agent', markup(peer, embedTag(files, { origin, ticket: 'TICKET', accept: peer })))
