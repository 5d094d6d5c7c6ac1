/** markdown-it: Markdown to HTML, links found and quotes set. */
import MarkdownIt from 'markdown-it'

const markdown = new MarkdownIt({ linkify: true, typographer: true })

export default function render(text: string) {
  return markdown.render(text)
}
