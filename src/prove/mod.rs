//! L7: recovered audio as proof of what an eavesdropper hears; a later version brings it.
