"""`streamvq compress`."""

from __future__ import annotations

from streamvq.cli import options as opt

EXAMPLES = """\b
Examples:
  streamvq compress clip.mp4                         clip.svq: 256 colors
  streamvq compress clip.mp4 --block 4 -k 4096       codes of 4x4 pixels: far smaller
  streamvq compress clip.mp4 -k 64 -o clip.mkv       exact colors, audio kept
  streamvq compress sprites/ -r -k 32 -o build       indexed PNGs, one palette
  streamvq compress photo.jpg --gray --bits 3 -o photo.png
  streamvq compress clip.mp4 --rank 32 -o clip.mkv   frames of rank 32 first
  streamvq compress clip.mp4 --method svd --rank 12 --patch 8
  streamvq compress new/ -c build.codebook.npz -o new-build
  ffmpeg -i in.mkv -f yuv4mpegpipe - | streamvq compress - -o - | ffplay -"""


def compress(
    inputs: opt.Inputs,
    output: opt.OutputOrBeside = None,
    colors: opt.Colors = None,
    bits: opt.Bits = None,
    gray: opt.Gray = False,
    block: opt.Block = None,
    space: opt.Space = None,
    codebook: opt.Book = None,
    save_codebook: opt.SaveBook = None,
    seed: opt.Seed = 0,
    warmup: opt.Warmup = 32,
    method: opt.Method = "vq",
    rank: opt.Rank = None,
    energy: opt.Energy = None,
    patch: opt.Patch = 0,
    recursive: opt.Recursive = False,
    keep_going: opt.KeepGoing = False,
    fps: opt.Fps = "25",
    format: opt.Format = None,
    crf: opt.Crf = 18,
    lossy: opt.Lossy = 0,
    external_codebook: opt.External = False,
    skip_if_larger: opt.SkipIfLarger = False,
    min_psnr: opt.MinPsnr = None,
    overwrite: opt.Overwrite = False,
    skip_existing: opt.SkipExisting = False,
    jobs: opt.Jobs = 0,
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> None:
    """Learn one codebook from all inputs, and write them with it.

    The codebook is saved next to the output; -c uses a saved one instead and changes nothing in it. --method svd
    learns nothing: it stores each frame's leading singular vectors.
    """
    from streamvq.cli.run import Request, run_compress
    from streamvq.errors import UsageError
    from streamvq.options import RunSettings, WriteOptions

    if codebook and any(value for value in (colors, bits, gray, block, space)):
        raise UsageError(
            f"-c {codebook}: the codebook fixes its codes; drop --colors, --bits, --gray, --block, --space"
        )
    sides = opt.block_sides(block)
    writing = WriteOptions(
        format,
        crf,
        opt.frame_rate(fps),
        overwrite,
        skip_existing,
        lossy,
        not external_codebook,
        skip_if_larger,
        min_psnr,
    )
    run_compress(
        Request(inputs, output, RunSettings(jobs, warmup, keep_going), writing, dry_run, json, quiet, verbose),
        codebook,
        save_codebook,
        recursive,
        colors=opt.color_count(colors, bits, gray, sides),
        gray=gray,
        seed=seed,
        block=sides,
        space=space or "",
        method=method,
        rank=rank,
        energy=energy,
        patch=patch,
    )
