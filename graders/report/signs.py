"""The sign of an outcome's kind: a shape of its own as well as a colour, as SVG text.

A page sets the colours by CSS variables; where there are none, as in a notebook, those of here are used.
"""

COLOURS = {"passed": "#18806b", "wrong": "#d2502a", "failed": "#8a4fbf", "untouched": "#a3abb3"}
SOFT = "var(--soft, #8c959f)"
_ON_TOP = 'fill="none" stroke="var(--card, #fff)" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
_SHAPES = {  # a tick, a cross, an exclamation mark, a ring
    "passed": f'<circle r="8" fill="{{0}}"/><path d="M-3.6 .2l2.6 2.8 4.8-5.6" {_ON_TOP}/>',
    "wrong": '<rect x="-7.2" y="-7.2" width="14.4" height="14.4" rx="2" fill="{0}"/>'
    f'<path d="M-3.2-3.2l6.4 6.4m0-6.4l-6.4 6.4" {_ON_TOP}/>',
    "failed": '<path d="M0-8.6L8.8 7H-8.8z" fill="{0}" stroke="{0}" stroke-linejoin="round"/>'
    f'<path d="M0-3v4.6m0 2.9v.1" {_ON_TOP}/>',
    "untouched": '<circle r="7" fill="none" stroke="{0}" stroke-width="2"/>',
}
_NOTHING = '<circle r="7" fill="none" stroke="{0}" stroke-width="1.5" stroke-dasharray="2 2.4"/>'  # of every other kind


def colour(kind: str) -> str:
    """What CSS calls it, with the colour to take where the page says nothing."""
    return f"var(--{kind}, {COLOURS[kind]})" if kind in COLOURS else SOFT


def shape(kind: str) -> str:
    """The sign around the origin, 19 wide and high."""
    return _SHAPES.get(kind, _NOTHING).format(colour(kind))


def sign(kind: str, size: int = 16) -> str:
    """The sign as a picture of its own, to stand in a line of text."""
    look = f'width="{size}" height="{size}" viewBox="-9.5 -9.5 19 19" style="vertical-align:-.15em"'
    return f'<svg {look} aria-hidden="true">{shape(kind)}</svg>'
