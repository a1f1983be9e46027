"""The lab model's tokenizer: byte-level BPE learnt from episodes, with the chat template inside."""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD, USER, ASSISTANT, END = "<pad>", "<user>", "<assistant>", "<end>"
SPECIAL = [PAD, USER, ASSISTANT, END]
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<user>{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}<assistant>"
    "{% generation %}{{ message['content'] }}<end>{% endgeneration %}"
    "{% else %}{{ raise_exception('the lab model knows user and assistant turns only') }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def train_tokenizer(texts: Iterable[str], size: int = 1792) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE from texts.

    A space is put before every line, so that a word has one token wherever it stands; decoding takes it away.
    """
    core = Tokenizer(models.BPE())
    lines = pre_tokenizers.Split("\n", "isolated")
    core.pre_tokenizer = pre_tokenizers.Sequence([lines, pre_tokenizers.ByteLevel(add_prefix_space=True)])
    joined = [decoders.Replace(" \n", "\n"), decoders.Replace("\n ", "\n"), decoders.Strip(" ", 1, 0)]
    core.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Fuse(), *joined])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        padding_side="left",
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.model_max_length = 512
    return tokenizer
