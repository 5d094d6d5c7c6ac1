/** Loads a file of this origin, and lets nothing pass that is not what was pinned. */

/** A blob: URL of the file's bytes, whose SHA-384 in base64 is `sha384`. Throws an Error in words for a visitor. */
export const loadPinned = async (name: string, sha384: string | undefined): Promise<string> => {
  const response = await fetch(name)
  if (!response.ok) throw new Error(`${name}: ${location.host} answers ${response.status}`)
  const bytes = await response.arrayBuffer()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-384', bytes))
  if (btoa(String.fromCharCode(...digest)) !== sha384)
    throw new Error(`${name} is not what this page was promised, and was not run`)
  return URL.createObjectURL(new Blob([bytes], { type: response.headers.get('content-type') ?? '' }))
}
