/** cheerio: what a page of a shop offers, read by CSS selectors; a new page made of it. */
import { load } from 'cheerio'

export default function offers(html: string) {
  const $ = load(html)
  const found = $('li.item:not(.sold)')
    .map((_, item) => ({
      name: $('b', item).text(),
      price: Number($(item).attr('data-price')),
      link: $(item).find('a[href]').attr('href') ?? null,
    }))
    .get()
  $('li.sold').remove()
  $('ul').attr('data-count', String(found.length)).addClass('offers')
  return { found, title: $('title').text(), html: $('body').html() }
}
