/** Loads a file of this origin, and lets nothing pass that is not what was pinned. */

const hashOf = async (bytes: ArrayBuffer): Promise<string> =>
  btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))))

/** `cache`: what a browser keeps may be damaged, and would be kept for ever, as the name has the hash in it. */
const read = async (name: string, cache: RequestCache) => {
  const response = await fetch(name, { cache })
  if (!response.ok) throw new Error(`${name}: ${location.host} answers ${response.status}`)
  const bytes = await response.arrayBuffer()
  return { bytes, type: response.headers.get('content-type') ?? '', hash: await hashOf(bytes) }
}

/** A blob: URL of the file's bytes, whose SHA-256 in base64 is `sha256`. Throws an Error in words for a visitor. */
export const loadPinned = async (name: string, sha256: string | undefined): Promise<string> => {
  let file = await read(name, 'default')
  if (file.hash !== sha256) file = await read(name, 'reload')
  if (file.hash !== sha256) throw new Error(`${name} is not what this page was promised, and was not run`)
  return URL.createObjectURL(new Blob([file.bytes], { type: file.type }))
}
