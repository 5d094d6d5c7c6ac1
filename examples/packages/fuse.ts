/** fuse.js: books found though the words are mistyped. */
import Fuse from 'fuse.js'

interface Book {
  title: string
  author: string
}

export default function search({ books, words }: { books: Book[]; words: string[] }) {
  const index = new Fuse(books, {
    keys: ['title', { name: 'author', weight: 0.5 }],
    includeScore: true,
    threshold: 0.4,
  })
  return words.map((word) => index.search(word).map(({ item, score = 1 }) => `${item.title} ${score.toFixed(3)}`))
}
