"""What the example manifest says."""

from __future__ import annotations

POTTERY, BAGS, TEA = "Marrowick Pottery", "Tarn & Tackle", "Oolan Tea House"

COLUMNS = (
    "shop",
    "sku",
    "title",
    "prompt",
    "image_1",
    "image_2",
    "image_3",
    "duration",
    "aspect_ratio",
    "resolution",
    "notes",
)

ROWS: tuple[dict[str, str | int], ...] = (
    {
        "shop": POTTERY,
        "sku": "MP-101",
        "title": "Stoneware mug, moss",
        "prompt": "The moss-green stoneware mug stands on a pale oak table beside a linen cloth. "
        "Slow dolly in from three-quarter view to the rim while thin steam rises from the tea. "
        "Soft morning window light from the left, gentle shadows, shallow depth of field. "
        "Calm, unhurried mood. The mug keeps its shape, glaze and specks.",
        "image_1": "pictures/mug-moss.jpg",
        "duration": 6,
        "aspect_ratio": "16:9",
        "resolution": "720P",
        "notes": "Hero clip for the autumn page",
    },
    {
        "shop": POTTERY,
        "sku": "MP-102",
        "title": "Teapot, ash glaze",
        "prompt": "The ash-white teapot turns through a slow half circle on a stone plinth, then a "
        "hand lifts its lid and sets it down. Camera holds at table height and pushes in slightly "
        "on the glaze line above the bare clay foot. Large soft key light from the upper left, "
        "light grey studio, faint reflections. Quiet, precise, crafted.",
        "image_1": "pictures/teapot-ash-front.jpg",
        "image_2": "pictures/teapot-ash-spout.jpg",
        "image_3": "pictures/teapot-ash-open.jpg",
        "duration": 10,
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "notes": "Three angles: front, spout, open",
    },
    {
        "shop": POTTERY,
        "sku": "MP-103",
        "title": "Bud vase, rust",
        "prompt": "The rust-red bud vase with a single dry twig on a plaster ledge. Camera rises "
        "slowly from the clay foot along the neck to the tip of the twig. Late sun crosses the "
        "wall and moves a long leaf shadow behind the vase. Warm, still, minimal.",
        "image_1": "pictures/vase-rust.webp",
        "duration": 4,
        "aspect_ratio": "9:16",
        "resolution": "720P",
        "notes": "Vertical for stories",
    },
    {
        "shop": POTTERY,
        "sku": "MP-104",
        "title": "Nesting bowls, set of three",
        "prompt": "Three nesting stoneware bowls in sand, slate and cream slide into one another "
        "on a dark walnut table, smallest last. Top-down camera drifting slowly clockwise. Diffuse "
        "overcast light with one soft highlight on each rim. Tactile, satisfying, quiet.",
        "notes": "Not photographed yet: text only, all defaults",
    },
    {
        "shop": BAGS,
        "sku": "TT-201",
        "title": "Handlebar bag, ochre",
        "prompt": "The ochre handlebar bag rides on a steel touring bicycle along a gravel lake "
        "road. Camera tracks backwards just ahead of the front wheel, steady, at bag height; the "
        "brass buckles catch the light. Golden hour, low sun from the right, fine dust in the air. "
        "Free and optimistic. Straps, pocket and buckles stay exactly as in the pictures.",
        "image_1": "pictures/handlebar-bag-front.jpg",
        "image_2": "pictures/handlebar-bag-side.jpg",
        "image_3": "pictures/handlebar-bag-buckle.jpg",
        "duration": 6,
        "aspect_ratio": "9:16",
        "resolution": "720P",
    },
    {
        "shop": BAGS,
        "sku": "TT-202",
        "title": "Saddle bag, pine",
        "prompt": "The pine-green waxed canvas saddle bag hangs from a leather saddle in a tidy "
        "workshop. Slow orbit from left to right around the bag, ending on the wooden dowel and "
        "the straps. Light rain runs down the window behind, cool daylight outside and a warm "
        "lamp inside. Dependable, made to last.",
        "image_1": "pictures/saddle-bag-pine.jpg",
        "duration": 10,
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "notes": "Also used on the trade page",
    },
    {
        "shop": BAGS,
        "sku": "TT-203",
        "title": "Frame bag, charcoal",
        "prompt": "A slim charcoal frame bag inside the main triangle of a cream steel bicycle "
        "that leans on a whitewashed wall. Handheld camera slides along the zip as a hand pulls it "
        "open and takes out a folded map. Bright noon shade, crisp texture, natural colours. "
        "Ready to leave.",
        "duration": 4,
        "aspect_ratio": "9:16",
        "notes": "Sample arrives in December",
    },
    {
        "shop": TEA,
        "sku": "OT-301",
        "title": "Smoked oolong, 100 g tin",
        "prompt": "The slate-blue tea tin stands on black stone; its lid lifts and dark curled "
        "leaves fall in slow motion into the open tin. Camera starts close on the paper label and "
        "pulls back to the whole tin. Single soft light from behind with drifting smoke, deep "
        "shadows. Rich and ceremonial. The label artwork stays sharp and unchanged.",
        "image_1": "pictures/tea-tin-smoke-front.jpg",
        "image_2": "pictures/tea-tin-smoke-open.jpg",
        "image_3": "pictures/tea-tin-smoke-label.jpg",
        "duration": 6,
        "resolution": "1080p",
        "notes": "Best seller, aspect ratio left at the default",
    },
    {
        "shop": TEA,
        "sku": "OT-302",
        "title": "Jasmine green, 80 g tin",
        "prompt": "The pale green jasmine tin among fresh jasmine blossoms on white linen. Petals "
        "fall gently around it; camera makes a small arc from left to right at tin height. Airy "
        "high-key light, soft pastel background blur. Fresh, light, early spring.",
        "image_1": "pictures/tea-tin-jasmine.png",
        "aspect_ratio": "9:16",
        "notes": "Duration and resolution left at the defaults",
    },
    {
        "shop": TEA,
        "sku": "OT-303",
        "title": "Tasting set, café edition",
        "prompt": "Five small glass cups in a row on a bamboo tray are filled one after the other, "
        "from pale gold to deep amber tea. Macro camera glides along the row at liquid height. "
        "Back-lit by a low window so that each cup glows, steam curling upwards. "
        "Warm, inviting, unhurried.",
        "duration": 10,
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "notes": "Text only; “café” keeps its accent",
    },
)

NOTES = (
    ("How this sheet works", ""),
    ("prompt", "What the video shows: subject, camera move, light, mood. No text in the picture."),
    ("image_1 … image_3", "No picture, one, or three. Paths start at this workbook's folder."),
    ("duration", "4, 6 or 10 seconds. Empty means 6."),
    ("aspect_ratio", "16:9 or 9:16. Empty means 16:9."),
    ("resolution", "720P or 1080p; 1080p only with 16:9. Empty means 720P."),
    ("sku", "Names the row and its video. Keep it when you sort or insert rows."),
    ("shop, title, notes", "Yours. They come back unchanged in the results."),
)
