import re

import numpy as np
import pytest
from pages import lesson

from autoencoder.data import UNLABELED
from autoencoder.query import explain
from autoencoder.query.explain import (
    Contributions,
    Erased,
    ErasedLatents,
    Found,
    Knobs,
    Redrawn,
    Votes,
    ink_by_part,
    kind_shares,
    places,
    redraw_best_part,
    tell_kind,
)
from autoencoder.query.question import Picture
from autoencoder.ui import loading
from autoencoder.ui.pages import why

BLANK = np.zeros((28, 28), np.float32)


class TopHalf:
    """A space of one number: the ink of the top half."""

    name = "top half"

    def transform(self, images):
        return images[:, :14].sum(axis=(1, 2), dtype=np.float32)[:, None]


def vector(*numbers):
    return np.array(numbers, np.float32)


def inked(*parts):
    """A picture with ink in some rows and columns."""
    picture = BLANK.copy()
    for part in parts:
        picture[part] = 1
    return picture


def found(what, picture, space, *, rank=1, distance=0.0):
    return Found(what, rank, distance, space.transform(picture[None])[0], picture)


def test_the_largest_contribution_comes_first_and_all_add_up_to_the_squared_distance():
    found = Contributions.of(vector(1, 5, 0), vector(0, 2, 1))
    assert found.numbers.tolist() == [1, 0, 2]  # of equal ones the lower number first
    assert found.squares.tolist() == [9, 1, 1]
    assert found.shares.tolist() == pytest.approx([9 / 11, 1 / 11, 1 / 11])


@pytest.mark.parametrize(("differences", "n"), [((3, 1, 1), 1), ((1, 1, 1, 1), 2), ((1, 1, 1), 2), ((0, 0), 0)])
def test_so_many_numbers_make_half_of_the_squared_distance(differences, n):
    assert Contributions.of(vector(*differences), np.zeros(len(differences), np.float32)).n_of_half == n


def test_equal_latents_have_no_shares():
    assert Contributions.of(vector(1, 2), vector(1, 2)).shares.tolist() == [0, 0]


def test_the_correlation_ratio_is_the_variance_between_kinds_as_a_share_of_the_whole():
    # Number 0 is the kind. Of number 1 both kinds have the mean 0. Of number 2 the kinds' means are 1 and 3, which are
    # 1 off the whole mean, and all are 1 off their own: half and half. Number 3 never changes.
    latents = np.array([[0, -1, 0, 7], [0, 1, 2, 7], [1, -1, 2, 7], [1, 1, 4, 7]], np.float32)
    assert kind_shares(latents, np.array([3, 3, 8, 8])).tolist() == pytest.approx([1, 0, 0.5, 0])


def test_kinds_count_by_their_digits():
    # Means -1 (three digits) and 3 (one), about 0: between 3 · 1 + 9 = 12, whole 1 + 1 + 1 + 9 + what is within: 2.
    latents = vector(-2, -1, 0, 3)[:, None]
    assert kind_shares(latents, np.array([1, 1, 1, 2])).tolist() == pytest.approx([12 / 14])


def test_digits_without_a_label_do_not_count():
    latents = vector(0, 0, 1, 1, 50, -90)[:, None]
    assert kind_shares(latents, np.array([3, 3, 8, 8, UNLABELED, UNLABELED])).tolist() == [1]


@pytest.mark.parametrize("labels", [[UNLABELED, UNLABELED], [4, UNLABELED], [4, 4]])
def test_without_two_kinds_nothing_is_split(labels):
    assert tell_kind(np.eye(2, dtype=np.float32), np.array(labels)) is None


def test_the_numbers_that_go_most_by_the_kind_tell_the_kind(monkeypatch):
    monkeypatch.setattr(explain, "CONTENT_DIM", 1)
    latents = np.array([[-1, 0], [1, 0], [-1, 1], [1, 1]], np.float32)
    assert tell_kind(latents, np.array([3, 3, 8, 8])).tolist() == [False, True]


def test_of_the_32_numbers_24_tell_the_kind(engine):
    unseen = engine.unseen
    is_kind = tell_kind(unseen.nearest.vectors, unseen.gallery.labels)
    shares = kind_shares(unseen.nearest.vectors, unseen.gallery.labels)
    assert (is_kind.sum(), len(is_kind)) == (24, 32)
    assert shares[is_kind].min() >= shares[~is_kind].max()


def test_only_ink_that_counts_holds_the_neighbor_near():
    # A dot in the top half counts 4, one in the bottom half nothing. The neighbor has the same 4: without the upper dot
    # the distance grows from 0 to 4, wherever a patch covers all of it.
    digit = inked(np.s_[6:8, 10:12], np.s_[20:22, 10:12])
    erased = ErasedLatents.of(digit, TopHalf()).against(vector(4))
    assert erased.distance == 0
    assert erased.heat[6:8, 10:12].tolist() == [[4, 4], [4, 4]]
    assert not erased.heat[14:].any()
    assert erased.place(int(erased.changes.argmax())) == "at the top left"


def test_ink_that_pushes_the_neighbor_away_is_negative():
    digit = inked(np.s_[6:8, 12:14])  # counts 4; the neighbor has 1: without it the distance goes from 3 to 1
    erased = ErasedLatents.of(digit, TopHalf()).against(vector(1))
    assert erased.distance == 3
    assert erased.heat[6:8, 12:14].tolist() == [[-2, -2], [-2, -2]]


def test_heat_is_the_mean_of_the_patches_that_cover_a_pixel():
    # Of a row of 8 pixels a patch takes 6, 4 or 2. At the row's left end the patches begin at columns 4, 6 and 8 and
    # take 2, 4 and 6; those to the right take the rest.
    digit = inked(np.s_[6, 8:16])
    heat = ErasedLatents.of(digit, TopHalf()).against(vector(8)).heat
    assert heat[6, 8:10].tolist() == pytest.approx([(2 + 4 + 6) / 3] * 2)
    assert heat[6, 10:12].tolist() == pytest.approx([(4 + 6 + 6) / 3] * 2)
    assert heat[6, 14:16].tolist() == pytest.approx([(6 + 4 + 2) / 3] * 2)


def test_all_patches_with_ink_are_encoded_at_once_and_the_digit_stays_as_it_is():
    calls = []

    class Counted(TopHalf):
        def transform(self, images):
            calls.append(len(images))
            return super().transform(images)

    digit = inked(np.s_[0:2, 0:2], np.s_[26:28, 26:28])  # in the corners, too, a pixel is in 9 patches
    before = digit.copy()
    latents = ErasedLatents.of(digit, Counted())
    assert calls == [19]
    assert len(latents.corners) == len(latents.without) == 18
    np.testing.assert_array_equal(digit, before)


def test_where_there_is_no_ink_there_is_nothing_to_erase():
    erased = ErasedLatents.of(BLANK, TopHalf()).against(vector(2))
    assert not erased.heat.any()
    assert explain.describe_heat(erased) == []


def test_the_whole_digit_s_distance_is_that_of_the_search(engine, gallery):
    result = engine.search(gallery.images[7], exclude=7)
    neighbor = result.neighbors[0]
    erased = ErasedLatents.of(result.query, engine.space).against(engine.nearest.vectors[neighbor.index])
    assert erased.distance == pytest.approx(neighbor.distance, abs=1e-4)
    assert erased.heat.shape == (28, 28)
    assert not erased.heat[result.query == 0][:5].any()


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [
        (10, 10, "at the top left"),
        (10, 11, "at the top"),
        (11, 16, "in the middle"),
        (16, 17, "on the right"),
        (17, 0, "at the bottom left"),
    ],
)
def test_a_place_is_named_by_a_grid_of_nine_parts(row, column, place):
    assert places(5 * ink_by_part(inked(np.s_[row, column]))) == [place]


def test_the_parts_hold_all_the_ink():
    assert ink_by_part(np.ones((28, 28))).tolist() == [[121, 66, 121], [66, 36, 66], [121, 66, 121]]


def test_two_places_are_named_at_most_and_none_that_is_not_clear():
    assert places(np.array([[9, 0, 8], [0, 7, 0], [0, 0, 0]])) == ["at the top left", "at the top right"]
    assert places(np.array([[9, 0, 4], [0, 0, 0], [0, 0, 0]])) == ["at the top left"]  # less than half of the largest
    assert places(np.array([[3.9, 0, 0], [0, 0, 0], [0, 0, -9]])) == []


def test_the_numbers_vote_between_two_digits():
    # Squares to the first 1, 4, 0, and to the second 4, 1, 0: gaps 3 and -3, and of the last number none.
    votes = Votes.of(vector(1, 2, 0), vector(0, 0, 0), vector(3, 1, 0), np.array([True, False, False]))
    assert (votes.n_for, votes.n_against, votes.kind, votes.pose) == (1, 1, 3, -3)
    assert explain.describe_votes(votes, "7", "2") == (
        "1 number is nearer to the 2, 1 to the 7. Kind speaks for the 2, pose for the 7."
    )


def test_both_sorts_of_numbers_may_speak_for_the_same_digit():
    votes = Votes.of(vector(0, 0), vector(0, 0), vector(3, 1), np.array([True, False]))
    assert explain.describe_votes(votes, "7", "2") == (
        "2 numbers are nearer to the 2, 0 to the 7. Kind makes 90% of the gap, pose 10%."
    )


def test_without_a_split_only_the_numbers_are_counted():
    votes = Votes.of(vector(0, 0), vector(0, 0), vector(3, 1), None)
    assert explain.describe_votes(votes, "7", "2") == "2 numbers are nearer to the 2, 0 to the 7."


def test_the_best_part_is_the_one_that_brings_the_other_nearest():
    space = TopHalf()
    digit = inked(np.s_[5, 5])  # 1; the rival has 1 as well, the other 1 + 4, of which 1 is at the top left
    rival = found("2", digit, space)
    other = found("7", inked(np.s_[5, 5], np.s_[4:6, 12:14], np.s_[20:26, 12:14]), space)
    redrawn = redraw_best_part(digit, other, rival, space)
    assert redrawn == Redrawn("at the top", 0, 4)
    assert explain.describe_redrawn(redrawn, "7", "2") == (
        "Drawn like that 7 at the top, yours is nearer to the 7: 0.00 to the 7, 4.00 to the 2."
    )


def test_no_part_may_be_enough():
    assert explain.describe_redrawn(Redrawn("on the left", 3, 2.5), "7", "2") == (
        "Even drawn like that 7 on the left, yours is nearer to the 2: 3.00 to the 7, 2.50 to the 2."
    )


def test_sentences_on_the_numbers():
    is_kind = np.array([True, False, True])
    found = Contributions.of(vector(3, 3, 1), vector(0, 0, 0))
    assert explain.describe_numbers(found, is_kind) == (
        "2 of the 3 numbers make half of the difference. Kind makes 53% of it, pose 47%."
    )
    alone = Contributions.of(vector(3, 0, 0), vector(0, 0, 0))
    assert explain.describe_numbers(alone, None) == "1 of the 3 numbers makes half of the difference."
    same = Contributions.of(vector(3, 3), vector(3, 3))
    assert explain.describe_numbers(same, None) == "All 2 numbers are the same."


def test_sentences_on_erased_ink():
    # The upper dot counts 4, the lower one nothing; the neighbor has 3: 1 away, and 3 away without the upper dot.
    erased = ErasedLatents.of(inked(np.s_[6:8, 12:14]), TopHalf()).against(vector(3))
    assert explain.describe_heat(erased) == [
        "Without the ink at the top the look-alike is 3.00 away: that ink holds it near."
    ]
    away = ErasedLatents.of(inked(np.s_[6:8, 12:14]), TopHalf()).against(vector(1))
    assert explain.describe_heat(away) == [
        "Without the ink at the top the look-alike is 1.00 away: that ink pushes it away."
    ]


# Patches at the top left (twice), at the top right and at the bottom right.
CORNERS = np.array([[4, 4], [6, 4], [4, 20], [20, 20]])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            (0.2, 0, -0.3, 0),
            [("at the top left", "2.20", "holds it near"), ("at the top right", "1.70", "pushes it away")],
        ),
        ((0.3, -0.4, 0, 0), [("at the top left", "1.60", "pushes it away")]),  # one place cannot do both
        ((0.4, -0.3, 0, 0), [("at the top left", "2.40", "holds it near")]),
        ((0.2, -0.19, 0, 0), [("at the top left", "2.20", "holds it near")]),  # a tenth of the distance is clear
        ((0.19, 0, 0, -0.19), []),
        ((-0.3, -0.3, -0.4, -0.5), [("at the bottom right", "1.50", "pushes it away")]),
    ],
)
def test_only_clear_changes_are_told_and_no_place_does_both(changes, said):
    digit = inked(np.s_[4:8, 4:10], np.s_[4:10, 20:26], np.s_[20:26, 20:26])
    erased = Erased(digit, CORNERS, np.array(changes), 2.0)
    assert explain.describe_heat(erased) == [
        f"Without the ink {place} the look-alike is {distance} away: that ink {does}." for place, distance, does in said
    ]


def test_a_change_from_no_distance_at_all_is_told():
    erased = Erased(inked(np.s_[4:8, 4:10]), CORNERS[:1], np.array([0.01]), 0.0)
    assert len(explain.describe_heat(erased)) == 1


def test_sentences_on_ink():
    query, other = inked(np.s_[2:4, 2:6]), inked(np.s_[20:24, 12:14])
    assert explain.describe_ink(query, other, "The 7") == "The 7 has more ink at the bottom, and less at the top left."
    assert explain.describe_ink(BLANK, other, "The 7") == "The 7 has more ink at the bottom."
    assert explain.describe_ink(query, BLANK, "The 7") == "The 7 has less ink at the top left."
    assert explain.describe_ink(query, query, "The 7") == "The 7 has about as much ink everywhere."


def test_a_sentence_on_ranks():
    seven = Found("7", 1035, 3.871, vector(0), BLANK)
    two = Found("2", 1, 2.309, vector(0), BLANK)
    assert explain.describe_ranks(seven, two) == (
        "The nearest 7 is look-alike 1,035, 3.87 away. The 2 is look-alike 1, 2.31 away."
    )


@pytest.mark.parametrize("color", [why.ONLY_QUERY, why.ONLY_NEIGHBOR, why.BOTH, why.HOLDS, why.PUSHES, why.NEUTRAL])
def test_the_colors_of_the_pictures_stand_out_from_black(color):
    assert (luminance(color) + 0.05) / 0.05 >= 3


@pytest.mark.parametrize("color", why.SORT_COLORS)
def test_the_colors_of_the_bars_stand_out_from_the_light_ground_and_from_the_dark(color):
    light = luminance([int(color[start : start + 2], 16) for start in (1, 3, 5)])
    dark_ground = luminance((23, 22, 20))
    assert 1.05 / (light + 0.05) >= 3
    assert (light + 0.05) / (dark_ground + 0.05) >= 3


def luminance(color):
    """The relative luminance of WCAG 2.1, in [0, 1]."""
    parts = np.array(color) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def test_ink_has_the_color_of_whose_it_is():
    query, neighbor = inked(np.s_[0, 0:2]), inked(np.s_[0, 1:3])
    assert why._difference(query, neighbor)[0, :4].tolist() == [
        list(why.ONLY_QUERY),
        list(why.BOTH),
        list(why.ONLY_NEIGHBOR),
        [0, 0, 0],
    ]


def test_ink_that_holds_the_neighbor_near_is_green_and_ink_that_does_not_matter_is_gray():
    digit = inked(np.s_[6:8, 10:12], np.s_[20:22, 10:12])
    colors = why._heat(ErasedLatents.of(digit, TopHalf()).against(vector(4)))
    assert colors[6, 10].tolist() == list(why.HOLDS)
    assert colors[20, 10].tolist() == list(why.NEUTRAL)
    assert colors[0, 0].tolist() == [0, 0, 0]


def test_the_page_compares_the_query_with_the_neighbor_that_is_chosen(seventh):
    app = lesson("why", q=seventh)
    assert app.session_state[why.RANK] == 1
    app.session_state[why.RANK] = 3
    app.run()
    assert not app.exception
    assert any(subheader.value.find("Look-alike 3") >= 0 for subheader in app.subheader)


def test_the_page_falls_back_to_the_last_neighbor(seventh):
    app = lesson("why", q=seventh)
    app.session_state[why.RANK] = 4
    app.session_state["neighbors"] = 2
    app.run()
    assert not app.exception
    assert any(subheader.value.find("Look-alike 2") >= 0 for subheader in app.subheader)


def test_the_page_shows_the_nearest_of_the_digit_that_the_visitor_says_it_is(gallery):
    picture = Picture.of(gallery.images[7])
    app = lesson("why", q=picture.to_text())
    found = gallery.label(7)
    told = (found + 1) % 10
    app.session_state["visit"].tell(picture, told)
    app.run()
    assert not app.exception
    assert any(markdown.value.startswith(f"The nearest {told} is look-alike ") for markdown in app.markdown)
    app.session_state["visit"].tell(picture, found)  # as most neighbors have it: nothing is to be compared
    app.run()
    assert not any(markdown.value.startswith("The nearest") for markdown in app.markdown)


@pytest.fixture
def relabel(monkeypatch):
    """Have the served gallery's digits lose their labels, but for some, {index: label}."""
    gallery = loading.load_engine().engine.gallery

    def to(labels):
        relabeled = np.full(len(gallery), UNLABELED, np.uint8)
        relabeled[list(labels)] = list(labels.values())
        object.__setattr__(gallery, "labels", relabeled)
        gallery.__dict__.pop("labeled", None)
        loading.load_knobs.clear()

    yield to
    loading.load_engine.clear()
    loading.load_knobs.clear()


def ask_why(told, near, rank=1):
    """The page asked about NEITHER, which the visitor says is a `told`; chosen is the look-alike of a rank."""
    app = lesson("why", q=NEITHER.to_text(), neighbors=str(len(near)))
    app.session_state["visit"].tell(NEITHER, told)
    app.session_state[why.RANK] = rank
    app.run()
    assert not app.exception
    return app


def said(app):
    """What the page says of the digit that is meant, sentence by sentence; empty where it says nothing of it."""
    found = [
        markdown.value.split(why.NEW_LINE) for markdown in app.markdown if markdown.value.startswith("The nearest")
    ]
    return found[0] if found else []


NEITHER = Picture.of(inked(np.s_[5:23, 13:15], np.s_[5:7, 8:15]))


@pytest.fixture
def near():
    """The indices of the picture's five nearest, and last of a digit that is far from it."""
    engine = loading.load_engine().engine
    result = engine.search(NEITHER.digit, 50)
    return [neighbor.index for neighbor in (*result.neighbors[:5], result.neighbors[-1])]


def test_without_a_look_alike_of_another_digit_nothing_is_compared(relabel, near):
    *near, far = near
    relabel({far: 9})
    assert said(ask_why(9, near)) == []


def test_a_partly_labeled_gallery_s_first_other_digit_is_the_rival(relabel, near):
    *near, far = near
    relabel({near[1]: 4, far: 9})
    assert re.match(r"The nearest 9 is look-alike 50, .* The 4 is look-alike 2,", said(ask_why(9, near))[0])


def test_a_digit_that_is_nearer_than_its_rival_need_not_be_redrawn(relabel, near):
    near = near[:5]
    relabel({near[0]: 9, near[1]: 4, near[2]: 4})
    lines = said(ask_why(9, near, rank=2))
    assert lines[0].startswith("The nearest 9 is look-alike 1,")
    assert not any("like that 9" in line for line in lines)
    relabel({near[0]: 4, near[1]: 4, near[2]: 9})
    assert "like that 9" in said(ask_why(9, near))[-1]


@pytest.mark.parametrize(
    ("rank", "shown"),
    [
        (1, ["Query", "Look-alike 1", "Look-alike 2", "Difference to 9", "What holds it", "Difference to 4"]),
        (2, ["Query", "Look-alike 2", "Nearest 9", "Difference to 4", "What holds it", "Difference to 9"]),
        (5, ["Query", "Look-alike 5", "Nearest 9", "Difference to look-alike 5", "What holds it", "Difference to 9"]),
    ],
)
def test_no_picture_is_shown_twice(relabel, near, rank, shown):
    near = near[:5]
    relabel({near[0]: 9, near[1]: 4, near[2]: 4, near[3]: 4, near[4]: 9})
    pictures = [image.proto.imgs[0] for image in ask_why(9, near, rank).image]
    first = [picture.caption for picture in pictures].index("Query")
    assert [picture.caption for picture in pictures[first : first + 6]] == shown
    assert len({picture.url for picture in pictures[first : first + 6]}) == 6


def test_a_digit_of_the_gallery_is_meant_to_be_what_its_label_says(relabel, near):
    *near, far = near
    relabel({near[0]: 9, near[1]: 4, near[2]: 4, near[3]: 4, far: 9})
    app = lesson("why", q=f"{loading.load_engine().engine.gallery.name}-{near[0]}")
    assert said(app)[0].startswith("The nearest 9 is look-alike ")


def test_a_chart_s_text_is_the_same_for_all_queries(seventh, gallery):
    charts = [lesson("why", q=question).get("vega_lite_chart")[0].proto for question in (seventh, NEITHER.to_text())]
    assert charts[0].alt == charts[1].alt != ""
    assert charts[0].spec == charts[1].spec


def test_kind_and_pose_are_told_apart_only_where_they_are_known():
    for is_split in (False, True):
        tooltip = why._chart(15, is_split)["layer"][0]["encoding"]["tooltip"]
        assert ("kind or pose" in [field.get("title") for field in tooltip]) is is_split


LATENTS = np.array([[0, -1, 5], [0.5, 3, 5], [4, -1, 5], [4.5, 3, 5]], np.float32)
LABELS = np.array([1, 1, 2, 2], np.uint8)  # the first number goes by them, the second does not, the third is constant


def test_knobs_go_as_far_as_the_gallery_s_digits():
    knobs = Knobs.of(LATENTS, LABELS)
    assert knobs.low.tolist() == [0, -1, 5]
    assert knobs.high.tolist() == [4.5, 3, 5]


def test_the_number_that_goes_most_by_the_kind_comes_first():
    assert Knobs.of(LATENTS, LABELS).order.tolist() == [0, 1, 2]
    assert Knobs.of(LATENTS[:, ::-1], LABELS).order.tolist() == [2, 0, 1]


def test_without_labels_numbers_keep_their_order_and_are_of_no_sort():
    knobs = Knobs.of(LATENTS, np.full(4, UNLABELED, np.uint8))
    assert knobs.order.tolist() == [0, 1, 2]
    assert [title for title, _ in knobs.sorts] == ["All"]
    assert knobs.name(0) == "Number 1"
    assert knobs.is_kind is None


def test_a_gallery_s_numbers_are_24_of_kind_and_8_of_pose(engine, gallery):
    knobs = Knobs.of(engine.nearest.vectors, gallery.labels)
    (_, kind), (_, pose) = knobs.sorts
    assert (len(knobs.order[kind]), len(knobs.order[pose])) == (24, 8)
    assert all(knobs.name(number).endswith("(kind)") for number in knobs.order[kind])
    assert all(knobs.name(number).endswith("(pose)") for number in knobs.order[pose])


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 2), (100, 3), (-50, 0), (-100, -1)])
def test_a_knob_is_turned_to_both_ends_from_where_it_is(percent, value):
    latent = np.array([2, 1, 5], np.float32)
    assert Knobs.of(LATENTS, LABELS).turn(latent, 1, percent).tolist() == [2, value, 5]
    assert latent.tolist() == [2, 1, 5]


@pytest.mark.parametrize(("percent", "value"), [(100, 9), (-100, -1)])
def test_a_number_beyond_the_gallery_s_end_is_not_turned_back_to_it(percent, value):
    assert Knobs.of(LATENTS, LABELS).turn(np.array([2, 9, 5], np.float32), 1, percent)[1] == value
