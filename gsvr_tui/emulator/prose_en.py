"""Building blocks of the emulator's English sentences."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


TOPICS = _words(
    "the cooling loop|the sampling plan|the balance sheet|the boundary condition|the error budget|the soil profile|"
    "the voltage divider|the harvest calendar|the survey design|the proof by induction|the load test|the colour wheel|"
    "the storage ring|the reading passage|the irrigation channel|the market forecast|the growth curve|"
    "the safety checklist|the circuit diagram|the trade route|the verb endings|the pressure valve|the field notes|"
    "the energy balance|the sorting algorithm|the stage lighting|the control group|the river delta|the stress curve|"
    "the opening argument|the layered rock|the search index|the budget line|the chord progression|the hash table|"
    "the gear train|the treaty text|the titration curve|the camera angle|the supply chain|the neural pathway|"
    "the wing section|the interest rate|the tidal record|the word order|the enzyme reaction|the floor plan|"
    "the signal filter|the case study|the landing sequence|the pottery fragments|the matrix product|the seed bank|"
    "the shipping manifest|the rehearsal schedule|the orbital period|the print workshop|the recursion step|"
    "the population pyramid|the weather station|the cache layer|the bridge model|the glaze recipe|the voting record|"
    "the insulation layer|the rhyme scheme|the inventory count|the crystal lattice|the evacuation route|"
    "the regression line|the coral transect|the power supply|the loan contract|the dance notation"
)

ACTORS = _words(
    "the presenter|the lecturer|a second speaker|the demonstrator|the guide|the host|the instructor|the narrator|"
    "a student in the front row|the panel|the camera|the team|the moderator|the assistant|a guest from the audience|"
    "the teacher"
)

VERBS = _words(
    "returns to|takes apart|sketches|questions|measures|compares two versions of|works through|points out a gap in|"
    "summarises|shows the inside of|tests|redraws|lists the parts of|explains the purpose of|times|annotates|"
    "traces the history of|checks the figures behind|simplifies|puts numbers on|looks for weak spots in|rebuilds|"
    "zooms in on|contrasts an older form of|walks around|hands over|defends|marks the limits of|adds a label to|"
    "gives an everyday picture of|reads aloud a note about|sets a small task on|counts the steps of|turns over|"
    "draws a first conclusion from|corrects an earlier remark on|lays out|asks for a vote on"
)

MANNERS = _words(
    "with a worked example|step by step|using a hand-drawn chart|before moving on|without any slides|"
    "in front of the whole group|with two short experiments|and leaves room for questions|by means of a simple table|"
    "while the picture stays on the bench|in plain words|with the figures kept on screen|at an unhurried pace|"
    "against a blank background|from a different angle|and names the source|with a short pause at each stage|"
    "so that beginners can follow|under realistic conditions|with help from the audience|on the large whiteboard|"
    "and repeats the key number|for the benefit of latecomers|in close-up|after a short break|with visible care|"
    "and compares it with last year|in the style of a detective story|using only three colours|"
    "by changing one value at a time|and invites a counter-example|with the tools laid out beforehand"
)

LINKS = _words(
    "which|and that|something that|a point that|a detail that|and this, in turn,|a comparison that|a result that|"
    "and the outcome|an argument that|a remark that|an example that"
)

EFFECTS = _words(
    "answers|confirms|weakens|clarifies|supports|limits|sharpens|corrects|illustrates|extends|explains|"
    "puts to the test|settles|echoes|simplifies|bears out|qualifies|brings back"
)

THINGS = _words(
    "an objection raised earlier|the notes on the board|the first estimate|a common misunderstanding|"
    "the guess from the audience|the difference between both methods|the exception named at the start|"
    "the reason for the next step|the numbers in the handout|the claim made a moment ago|the odd shape in the chart|"
    "the cost of a mistake|the conditions for using the method|the plan for the practical part|the point of dispute|"
    "the trust one can put in the result|the account in older textbooks|the main source of error|"
    "the question of expense|the rules on safety|the order of the whole procedure|the aim of the exercise|"
    "the guest's own experience|an assumption hidden in the task"
)

LEADS = _words(
    "At this point|Shortly afterwards|To begin with|In the middle of the section|For comparison|Next|As a check|"
    "Towards the close|After a quick reminder|In a side remark|By way of contrast|Once the set-up is ready|"
    "With the terms now defined|On request|As promised|During a quiet stretch|In answer to a comment|From here on|"
    "Before the summary|With fresh material on the table|In a second attempt|Looking back|To everyone's surprise|"
    "As an aside"
)

PATTERNS = (
    "{Actor} {verb} {topic} {manner}.",
    "{Lead}, {actor} {verb} {topic}, {result}.",
    "{Actor} {verb} {topic}, {result}.",
    "{Lead}, {topic} is set beside {topic2}, {result}.",
    "{Topic} comes up again as {actor} {verb} {topic2} {manner}.",
    "{Lead}, the link between {topic} and {topic2} is shown {manner}.",
    "What {actor} says about {topic} also applies to {topic2}, {result}.",
    "{Lead}, {actor} {verb} {topic} {manner}, {result}.",
    "Only after {topic} has been dealt with, {actor} {verb} {topic2}.",
    "{Topic} serves as the example here, {result}.",
)

TITLES = (
    "{Head}: first steps",
    "{Head} in practice",
    "From {bare} to {bare2}",
    "{Head} and {bare2}",
    "A closer look at {bare}",
    "Why {bare} matters",
    "{Head} under test",
    "Questions about {bare}",
    "{Head} explained",
    "Reading {bare}",
    "{Head}, revisited",
    "How {bare} works",
)

QUESTIONS = (
    "Why does the speaker {plain} {topic}?",
    "What connects {topic} with {topic2}?",
    "Which role does {topic} play in the argument?",
    "How is {topic} checked against {topic2}?",
    "What would change without {topic}?",
    "Where does {topic} reach its limits?",
)

PLAIN_VERBS = _words("return to|measure|take apart|redraw|question|compare|test|simplify")
