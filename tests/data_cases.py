"""One tiny data set in each of the four formats, for the tests of the data room."""

GOOD = {
    "ratings.dat": "1::10::5::978300760\n1::20::3::978300761\n2::10::4::978300762\n",
    "movies.dat": "10::Matrix, The (1999)::Action|Sci-Fi\n20::Alien: Resurrection: (1997)::Horror\n",
    "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n",
}
U_ITEM = "10|Matrix, The (1999)|01-Jan-1999||http://x|" + "|".join("0100000000000001000") + "\n"
U_ITEM += "20|Alien: Resurrection: (1997)|01-Jan-1997||http://y|" + "|".join("0000000000010000000") + "\n"
SAME = {
    "dat": GOOD,
    "u": {
        "u.data": "1\t10\t5\t978300760\n1\t20\t3\t978300761\n2\t10\t4\t978300762\n",
        "u.item": U_ITEM,
        "u.user": "1|17|F|K-12 student|48067\n2|60|M|self-employed|70072\n",
    },
    "csv": {
        "ratings.csv": "userId,movieId,rating,timestamp\n1,10,5.0,978300760\n1,20,3.0,978300761\n2,10,4.0,978300762\n",
        "movies.csv": 'movieId,title,genres\n10,"Matrix, The (1999)",Action|Sci-Fi\n'
        "20,Alien: Resurrection: (1997),Horror\n",
        "users.csv": "userId,gender,age,occupation,zip\n1,female,1,10,48067\n2,male,56,16,70072\n",
    },
    "atomic": {
        "own.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "1\t10\t5\t978300760\n1\t20\t3\t978300761\n2\t10\t4\t978300762.0\n",
        "own.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "10\tMatrix, The\t1999\tAction Sci-Fi\n20\tAlien: Resurrection:\t1997\tHorror\n",
        "own.user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
        "1\t17\tF\tK-12 student\t48067\n2\t60\tM\tself-employed\t70072\n",
    },
}


def put(folder, files):
    """Write texts (UTF-8) or bytes by file name; None leaves a file out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def dat(tmp_path, **changes):
    """GOOD with some files exchanged, as in ``dat(tmp_path, ratings="...")``."""
    return put(tmp_path / "own", {**GOOD, **{f"{name}.dat": content for name, content in changes.items()}})
